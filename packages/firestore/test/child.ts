export { Child } from '../../../test-support/child.ts';

/** One of the scripts in `children/`. */
export const scriptNamed = (name: string): URL => new URL(`./children/${name}.ts`, import.meta.url);
