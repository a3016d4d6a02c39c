import { body, client } from '../../lib/api/calls';

/** The requests about the trash, and those that delete jobs for ever. */
export const bin = {
  purge: (id: string) =>
    body(client.POST('/api/jobs/{job_id}/purge', { params: { path: { job_id: id } } })),

  /** Everything of mine; a big trash takes several requests. */
  empty: async (): Promise<number> => {
    let gone = 0;
    for (let more = true; more;) {
      const answer = await body(client.POST('/api/trash/empty'));
      gone += answer.purged;
      more = answer.more && answer.purged > 0;
    }
    return gone;
  },

  /** After how many days deleted jobs go for ever by themselves; null is never. */
  days: async () => (await body(client.GET('/api/retention'))).trash_days,
};
