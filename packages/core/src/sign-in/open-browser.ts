/**
 * Opens the system's browser. On a terminal, and where there is no browser, the URL also goes to the standard error stream:
 * whether a window really opened cannot be known (over ssh, in a container), and another browser on this machine will do.
 * The URL holds no secret: state, nonce and the hash of the PKCE verifier.
 */
export async function openSystemBrowser(url: string): Promise<void> {
  const tell = once(() => process.stderr.write(`If no browser opens, open this page on this machine to sign in:\n${url}\n`));
  if (process.stderr.isTTY) tell();
  try {
    const { default: open } = await import('open');
    const browser = await open(url);
    browser.once('error', tell);
    browser.once('exit', (status) => {
      if (status) tell();
    });
    // The browser outlives the program.
    browser.unref();
  } catch {
    tell();
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
