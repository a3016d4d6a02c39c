import type { components } from './schema';

// The API's own types, by the names this page uses. `npm run api` makes them from openapi.json.
type Schemas = components['schemas'];

export type Job = Schemas['Job'];
export type Page = Schemas['JobPage'];
export type Progress = Schemas['JobProgress'];
export type Outputs = Schemas['Outputs'];
export type OutputFile = Schemas['OutputFile'];
export type OutputText = Schemas['OutputText'];
export type Me = Schemas['Me'];
export type Upload = Schemas['UploadStored'];
export type WorkflowSummary = Schemas['WorkflowSummary'];
export type Workflow = Schemas['WorkflowDetail'] & { schema: Schema };
export type Visibility = Job['visibility'];
export type Status = Job['status'];

export const STATUSES = [
  'pending',
  'processing',
  'completed',
  'failed',
  'cancelled',
] as const satisfies Status[];

export const KINDS = ['image', 'video', 'audio', 'text'] as const satisfies OutputFile['kind'][];
export type Kind = (typeof KINDS)[number];

// What the API describes only as JSON.

/** A stored file as an input names it. */
export interface StoredFile {
  filename: string;
  key: string;
  content_type?: string | null;
  size_bytes?: number | null;
  width?: number | null;
  height?: number | null;
  duration_seconds?: number | null;
}

/** JSON Schema 2020-12 with the `x-` hints of docs/reference/manifest.md. */
export interface Schema {
  title?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  [hint: `x-${string}`]: unknown;
}

export interface TimelineEvent {
  id: string | number;
  kind: string;
  at: string;
  data?: Record<string, unknown> | null;
}

export interface Attempt {
  number: number;
  outcome?: string | null;
  comfy_url?: string | null;
  started_at?: string | null;
  ended_at?: string | null;
  error_code?: string | null;
  error_message?: string | null;
}

export interface Readiness {
  ready: boolean;
  parts: Record<string, { ok: boolean; message?: string | null }>;
}
