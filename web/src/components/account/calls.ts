import { body, client } from '../../lib/api/calls';
import { remember } from '../../lib/memory';

/** The requests about one's own account. */
export const account = {
  ways: () => body(client.GET('/api/auth')),

  signIn: (email: string, password: string) =>
    body(client.POST('/api/auth/sign-in', { body: { email, password } })),

  signUp: (email: string, password: string) =>
    body(client.POST('/api/auth/sign-up', { body: { email, password } })),

  signOut: (everywhere: boolean) =>
    body(client.POST('/api/auth/sign-out', { body: { everywhere } })),

  changePassword: (current_password: string, new_password: string) =>
    body(client.POST('/api/auth/password', { body: { current_password, new_password } })),

  setPassword: (token: string, new_password: string) =>
    body(client.POST('/api/auth/password', { body: { token, new_password } })),

  useToken: (token: string) => body(client.POST('/api/auth/session', { body: { token } })),

  /** How many jobs I have; the count stops at 1,000. */
  jobs: async () =>
    (await body(client.GET('/api/jobs/counts', { params: { query: { scope: 'mine' } } }))).data
      .total,
};

export type Ways = Awaited<ReturnType<typeof account.ways>>;
export type JobCount = Awaited<ReturnType<typeof account.jobs>>;

/** Somebody else is here now: everything loads anew, in the other tabs too. */
export function arrive(): void {
  remember('account', Date.now());
  window.location.assign('/');
}
