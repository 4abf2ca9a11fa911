/**
 * Opens the system's browser. Where there is none, the URL goes to the standard error stream: it holds no secret (state,
 * nonce and the hash of the PKCE verifier), and another browser on this machine will do.
 */
export async function openSystemBrowser(url: string): Promise<void> {
  try {
    const { default: open } = await import('open');
    const browser = await open(url);
    browser.once('error', () => tell(url));
    browser.once('exit', (status) => {
      if (status) tell(url);
    });
    // The browser outlives the program.
    browser.unref();
  } catch {
    tell(url);
  }
}

function tell(url: string): void {
  process.stderr.write(`Open this page in a browser on this machine to sign in:\n${url}\n`);
}
