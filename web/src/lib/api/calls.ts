import createClient from 'openapi-fetch';
import type { Filters } from '../view';
import { errorFrom, unreachable } from './errors';
import type { components, paths } from './schema';
import type { Attempt, Readiness, TimelineEvent, Workflow } from './types';

export const client = createClient<paths>();

export type NewJob = paths['/api/jobs']['post']['requestBody']['content']['application/json'];
export type JobChanges = components['schemas']['JobChanges'];

const PAGE_SIZE = 60;

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a success; everything else is thrown as ApiError. */
export async function body<T>(call: Promise<Answer<T>>): Promise<T> {
  const answer = await call.catch(() => {
    throw unreachable();
  });
  if (!answer.response.ok) throw errorFrom(answer.response.status, answer.error);
  return answer.data as T;
}

const job = (id: string) => ({ params: { path: { job_id: id } } });

export const api = {
  me: () => body(client.GET('/api/me')),

  workflows: () => body(client.GET('/api/workflows')),

  workflow: async (type: string): Promise<Workflow> =>
    body(
      client.GET('/api/workflows/{workflow_type}', { params: { path: { workflow_type: type } } }),
    ),

  jobs: ({ kind, ...filters }: Filters, after: string | null, signal?: AbortSignal) => {
    const query = { ...filters, ...(kind && { kind: [kind] }), ...(after && { after }) };
    return body(
      client.GET('/api/jobs', { params: { query: { ...query, limit: PAGE_SIZE } }, signal }),
    );
  },

  job: (id: string) => body(client.GET('/api/jobs/{job_id}', job(id))),

  /** The key makes a repeated request harmless: the same job comes back. */
  submit: (newJob: NewJob, idempotencyKey: string) =>
    body(
      client.POST('/api/jobs', {
        params: { header: { 'idempotency-key': idempotencyKey } },
        body: newJob,
      }),
    ),

  edit: (id: string, changes: JobChanges) =>
    body(client.PATCH('/api/jobs/{job_id}', { ...job(id), body: changes })),

  cancel: (id: string) => body(client.POST('/api/jobs/{job_id}/cancel', job(id))),
  remove: (id: string) => body(client.DELETE('/api/jobs/{job_id}', job(id))),
  restore: (id: string) => body(client.POST('/api/jobs/{job_id}/restore', job(id))),

  graph: (id: string) => body(client.GET('/api/jobs/{job_id}/graph', job(id))),
  attempts: async (id: string) =>
    (await body(client.GET('/api/jobs/{job_id}/attempts', job(id)))).data as unknown as Attempt[],
  events: async (id: string) =>
    (await body(client.GET('/api/jobs/{job_id}/events', job(id))))
      .data as unknown as TimelineEvent[],

  createUpload: (file: components['schemas']['UploadRequest']) =>
    body(client.POST('/api/uploads', { body: file })),

  /** 503 is an answer here as well: it says what is missing. */
  readiness: async (): Promise<Readiness> => {
    const { data, error } = await client.GET('/readyz').catch(() => {
      throw unreachable();
    });
    return (data ?? error) as unknown as Readiness;
  },
};
