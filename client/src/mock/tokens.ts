/** Tokens for development: JSON Web Tokens, signed with a key of this run's, with the claims of the local stack's issuer. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Verdict } from '../testing/protocol-server.js';

/** Bytes of the longest token that is looked at. */
const LONGEST = 8_192;
const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');
const TENANT_CLAIM = 'custom:tenantId';

/** A token and when it ends, in milliseconds since 1970. */
export interface Issued {
  readonly token: string;
  readonly expiresAt: number;
}

/** Made by {@link createIssuer}. */
export interface Issuer {
  /** `life` in milliseconds; one below zero gives a token that has ended. */
  issue(tenantId: string, userId: string, life: number): Issued;
  verify(token: string): Verdict;
  /** Ends every token issued so far. */
  expire(): void;
}

export function createIssuer(now: () => number): Issuer {
  const key = randomBytes(32);
  const sign = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  let issued = 0;
  let ended = 0;
  return {
    issue(tenantId, userId, life) {
      const exp = Math.floor((now() + life) / 1000);
      const claims = { iss: 'mock', sub: userId, [TENANT_CLAIM]: tenantId, iat: Math.floor(now() / 1000), exp, jti: String(++issued) };
      const text = HEADER + '.' + Buffer.from(JSON.stringify(claims)).toString('base64url');
      return { token: text + '.' + sign(text).toString('base64url'), expiresAt: exp * 1000 };
    },
    verify(token) {
      const [header = '', payload = '', signature = ''] = token.length > LONGEST ? [] : token.split('.');
      const given = Buffer.from(signature, 'base64url');
      const right = sign(header + '.' + payload);
      if (given.length !== right.length || !timingSafeEqual(given, right)) return { error: 'the token is not one of this server: get one from /_local/token' };
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string; exp: number; jti: string; [TENANT_CLAIM]: string };
      if (Number(claims.jti) <= ended) return { reason: 'token_expired', error: 'the token has ended: expire was called' };
      return { tenantId: claims[TENANT_CLAIM], userId: claims.sub, expiresAt: claims.exp * 1000 };
    },
    expire() {
      ended = issued;
    },
  };
}
