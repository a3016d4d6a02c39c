import { body, client } from '../../lib/api/calls';
import type { components } from '../../lib/api/schema';

type Schemas = components['schemas'];
export type Person = Schemas['Person'];
export type Link = Schemas['LinkOut'];
export type LimitChanges = Schemas['LimitChanges'];

const PAGE_SIZE = 30;
const person = (id: string) => ({ params: { path: { user_id: id } } });

/** The requests about everybody, which only administrators may make. */
export const people = {
  page: (q: string, after: string | null) =>
    body(
      client.GET('/api/users', {
        params: { query: { limit: PAGE_SIZE, ...(q && { q }), ...(after && { after }) } },
      }),
    ),

  one: (id: string) => body(client.GET('/api/users/{user_id}', person(id))),

  add: (email: string, is_admin: boolean) =>
    body(client.POST('/api/users', { body: { email, is_admin } })),

  change: (id: string, changes: Schemas['PersonChanges']) =>
    body(client.PATCH('/api/users/{user_id}', { ...person(id), body: changes })),

  link: (id: string) => body(client.POST('/api/users/{user_id}/link', person(id))),

  limit: (id: string, changes: LimitChanges) =>
    body(client.PATCH('/api/limits/{user_id}', { ...person(id), body: changes })),
};

export const nameOf = (one: Person): string => one.email ?? `Guest ${one.id.slice(-4)}`;
