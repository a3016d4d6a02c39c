import createClient from 'openapi-fetch';
import type { Filters } from '../view';
import { errorFrom, unreachable } from './errors';
import type { paths } from './schema';
import type {
  Attempt,
  Job,
  Me,
  Page,
  Readiness,
  TimelineEvent,
  Upload,
  Workflow,
  WorkflowSummary,
} from './types';

const client = createClient<paths>();

type Answer = Promise<{ data?: unknown; error?: unknown; response: Response }>;

/** The body of a success; everything else is thrown as ApiError. */
async function body<T>(call: Answer): Promise<T> {
  const answer = await call.catch(() => {
    throw unreachable();
  });
  if (!answer.response.ok) throw errorFrom(answer.response.status, answer.error);
  return answer.data as T;
}

const job = (id: string) => ({ params: { path: { job_id: id } } });

export interface NewJob {
  workflow_type: string;
  inputs: Record<string, unknown>;
  parent_id?: string;
  visibility?: Job['visibility'];
  preview?: boolean;
}

export type JobChanges = Partial<Pick<Job, 'title' | 'rating' | 'tags' | 'visibility'>>;

const PAGE_SIZE = 60;

export const api = {
  me: () => body<Me>(client.GET('/api/me', { params: {} })),

  workflows: () =>
    body<{ data: WorkflowSummary[]; preview_default?: boolean }>(
      client.GET('/api/workflows', { params: {} }),
    ),

  workflow: (type: string) =>
    body<Workflow>(
      client.GET('/api/workflows/{workflow_type}', { params: { path: { workflow_type: type } } }),
    ),

  jobs: (filters: Filters, after: string | null, signal?: AbortSignal) =>
    body<Page>(
      client.GET('/api/jobs', {
        params: { query: { ...filters, limit: PAGE_SIZE, ...(after ? { after } : {}) } },
        signal,
      }),
    ),

  job: (id: string) => body<Job>(client.GET('/api/jobs/{job_id}', job(id))),

  /** The key makes a repeated request harmless: the same job comes back. */
  submit: (newJob: NewJob, idempotencyKey: string) =>
    body<Job>(
      client.POST('/api/jobs', {
        params: { header: { 'Idempotency-Key': idempotencyKey } },
        body: newJob,
      }),
    ),

  edit: (id: string, changes: JobChanges) =>
    body<Job>(client.PATCH('/api/jobs/{job_id}', { ...job(id), body: changes })),

  cancel: (id: string) => body<Job>(client.POST('/api/jobs/{job_id}/cancel', job(id))),
  remove: (id: string) => body<undefined>(client.DELETE('/api/jobs/{job_id}', job(id))),
  restore: (id: string) => body<Job>(client.POST('/api/jobs/{job_id}/restore', job(id))),

  graph: (id: string) =>
    body<{ graph: unknown; prompt_id?: string }>(client.GET('/api/jobs/{job_id}/graph', job(id))),
  attempts: async (id: string) =>
    (await body<{ data: Attempt[] }>(client.GET('/api/jobs/{job_id}/attempts', job(id)))).data,
  events: async (id: string) =>
    (await body<{ data: TimelineEvent[] }>(client.GET('/api/jobs/{job_id}/events', job(id)))).data,

  createUpload: (file: { filename: string; size_bytes: number; content_type: string }) =>
    body<Upload>(client.POST('/api/uploads', { params: {}, body: file })),

  /** 503 is an answer here as well: it says what is missing. */
  readiness: async (): Promise<Readiness> => {
    const { data, error } = await client.GET('/readyz', { params: {} }).catch(() => {
      throw unreachable();
    });
    return (data ?? error) as Readiness;
  },
};
