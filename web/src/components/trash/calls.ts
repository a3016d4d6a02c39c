import { body, client } from '../../lib/api/calls';

type Post = (
  path: string,
  init?: object,
) => ReturnType<typeof client.POST<'/api/servers/{server_id}/free', never>>;
const post = client.POST as unknown as Post;

/** The requests that delete jobs for ever. */
export const bin = {
  purge: (id: string) =>
    body(post('/api/jobs/{job_id}/purge', { params: { path: { job_id: id } } })),
  empty: () => body(post('/api/trash/empty')),
};
