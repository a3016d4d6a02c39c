// The shapes this page reads. Written by hand: a job is JSON that Postgres makes and the API passes through.

export const STATUSES = ['pending', 'processing', 'completed', 'failed', 'cancelled'] as const;
export type Status = (typeof STATUSES)[number];

export const KINDS = ['image', 'video', 'audio', 'text'] as const;
export type Kind = (typeof KINDS)[number];

/** A stored file as an input or an output names it. */
export interface StoredFile {
  filename: string;
  key: string;
  content_type?: string | null;
  size_bytes?: number | null;
  width?: number | null;
  height?: number | null;
  duration_seconds?: number | null;
}

export interface OutputFile {
  name: string;
  kind: string;
  key: string;
  url?: string;
  content_type?: string | null;
  size_bytes?: number | null;
  width?: number | null;
  height?: number | null;
  duration_seconds?: number | null;
  poster_key?: string | null;
  thumb_key?: string | null;
  thumbhash?: string | null;
}

export interface OutputText {
  node_id?: string;
  name?: string | null;
  item?: number | null;
  text: string;
}

export interface Outputs {
  files: OutputFile[];
  texts: OutputText[];
  reused?: boolean;
}

export interface Progress {
  value?: number | null;
  max?: number | null;
  percent?: number | null;
  node?: string | null;
  node_title?: string | null;
  stage?: string | null; // uploading | queued | running | collecting
  position?: number | null; // in the server's own queue
}

export type Visibility = 'private' | 'team' | 'public';

export interface Job {
  id: string;
  user_id: string | null;
  workflow_type: string;
  workflow_name?: string | null;
  status: Status;
  version: number;
  created_at: string;
  updated_at?: string | null;
  started_at?: string | null;
  completed_at?: string | null;
  processing_time_seconds?: number | null;
  inputs: Record<string, unknown>;
  outputs: Outputs | null;
  prompt_text?: string | null;
  error_code?: string | null;
  error_message?: string | null;
  priority?: number;
  attempt?: number;
  max_attempts?: number;
  cancel_requested_at?: string | null;
  waiting_reason?: string | null;
  visibility: Visibility;
  title?: string | null;
  rating?: number | null;
  tags?: string[] | null;
  parent_id?: string | null;
  deleted_at?: string | null;
  expires_at?: string | null;
  model_used?: string | null;
  progress?: Progress | null;
  // Only for the owner and administrators, only in the detail.
  comfy_url?: string | null;
  error_details?: unknown;
  metadata?: unknown;
}

export interface Page {
  data: Job[];
  pagination: { has_more: boolean; next_cursor: string | null };
}

export interface Me {
  id: string | null;
  is_anonymous: boolean;
  is_admin: boolean;
  email: string | null;
  limits?: Record<string, number | null>;
}

export interface WorkflowSummary {
  type: string;
  title: string;
  description: string;
  icon?: string | null;
  output_kind: string;
  picture_url?: string | null;
  available: boolean;
  preview_available: boolean;
  reason: string | null;
}

export interface Workflow extends WorkflowSummary {
  schema: Schema;
  graphs?: string[];
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

export interface Upload {
  id: string;
  filename: string;
  status: string;
  put_url?: string;
  content_type?: string | null;
  size_bytes?: number | null;
  width?: number | null;
  height?: number | null;
  duration_seconds?: number | null;
  url?: string | null;
}

export interface TimelineEvent {
  id: string | number;
  kind: string;
  at: string;
  data?: Record<string, unknown> | null;
}

export interface Attempt {
  attempt?: number;
  status?: string | null;
  server_name?: string | null;
  comfy_url?: string | null;
  started_at?: string | null;
  finished_at?: string | null;
  error_code?: string | null;
  error_message?: string | null;
  [other: string]: unknown;
}

export interface Readiness {
  ready: boolean;
  parts: Record<string, { ok: boolean; message?: string | null }>;
}
