import { registerHooks } from 'node:module';

// The build is one file: what it does not export is run from the sources, whose imports name the files as compiled.
registerHooks({
  resolve(specifier, context, nextResolve) {
    const isOwn = specifier.startsWith('./') && context.parentURL?.includes('/packages/filesystem/src/');
    return nextResolve(isOwn ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
});
