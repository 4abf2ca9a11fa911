/** A request parameter as text: oidc-provider keeps whatever shape it came in, and a repeated one counts as absent. */
export const parameter = (value: unknown): string => (typeof value === 'string' ? value : '');
