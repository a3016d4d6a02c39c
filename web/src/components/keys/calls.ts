import { body, client } from '../../lib/api/calls';
import type { components } from '../../lib/api/schema';

export type Key = components['schemas']['Key'];
export type NewKey = components['schemas']['NewKey'];
export type Scope = Key['scopes'][number];

/** The requests about one's API keys. */
export const keys = {
  list: async () => (await body(client.GET('/api/keys'))).data,

  create: (asked: { name: string; scopes: Scope[]; expires_at: string | null }) =>
    body(client.POST('/api/keys', { body: asked })),

  revoke: (id: string) =>
    body(client.DELETE('/api/keys/{key_id}', { params: { path: { key_id: id } } })),
};

export const isOver = (key: Key, now: number): boolean =>
  Boolean(key.revoked_at) || (key.expires_at ? Date.parse(key.expires_at) <= now : false);

/** What may be chosen as the end of a key, in days; 0 is none. */
export const LASTS = [30, 90, 365, 0] as const;

export function expiry(days: number, now: number): string | null {
  return days ? new Date(now + days * 86_400_000).toISOString() : null;
}
