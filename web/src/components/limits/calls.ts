import { body, client } from '../../lib/api/calls';

export const limits = {
  /** The installation's, for each person. */
  usual: () => body(client.GET('/api/limits')),
};

export type Usual = Awaited<ReturnType<typeof limits.usual>>;
