/** An id that nobody else makes. crypto.randomUUID is not there on a page without TLS. */
export const newId = (): string => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
