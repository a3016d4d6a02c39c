import type { StoredFile } from '../api/types';
import { uuid } from '../unique';
import type { Field } from './fields';

/** A file in a form field: being uploaded, stored, or taken from a job. */
export interface MediaValue {
  id: string; // of this form only
  filename: string;
  contentType: string;
  size: number | null;
  preview: string; // URL to show it by
  state: 'uploading' | 'stored' | 'failed';
  progress: number; // 0 to 1
  problem: string;
  reference: { upload_id: string } | { key: string } | null; // what the API wants
  width?: number | null;
  height?: number | null;
  duration?: number | null;
}

/** A file of an earlier job as a form value. */
export function fromStored(file: StoredFile, url: string): MediaValue {
  return {
    id: uuid(),
    filename: file.filename,
    contentType: file.content_type ?? '',
    size: file.size_bytes ?? null,
    preview: url,
    state: 'stored',
    progress: 1,
    problem: '',
    reference: { key: file.key },
    width: file.width,
    height: file.height,
    duration: file.duration_seconds,
  };
}

export function isMedia(value: unknown): value is MediaValue {
  return typeof value === 'object' && value !== null && 'reference' in value && 'state' in value;
}

const FAMILY: Record<string, string> = {
  image: 'image/',
  mask: 'image/',
  image_list: 'image/',
  video: 'video/',
  audio: 'audio/',
  file: '',
};

/** Whether a field can take a file of this content type. An unknown type is left to the server. */
export function accepts(field: Field, contentType: string): boolean {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const family = FAMILY[field.kind];
  if (family === undefined) return false;
  if (!type || !family) return true;
  if (!field.accepts.length) return type.startsWith(family);
  return field.accepts.some((pattern) =>
    pattern.endsWith('/*') || pattern === '*/*'
      ? pattern === '*/*' || type.startsWith(pattern.slice(0, -1))
      : pattern === type,
  );
}

/** The `accept` attribute of a file input for this field. */
export function acceptAttribute(field: Field): string {
  if (field.kind === 'file' && !field.accepts.length) return '';
  return field.accepts.length ? field.accepts.join(',') : `${FAMILY[field.kind] ?? ''}*`;
}

/** What a field takes, in words: "an image", "a video". */
export function noun(field: Field): string {
  if (field.kind === 'image_list') return 'images';
  return /^[aeiou]/.test(field.kind) ? `an ${field.kind}` : `a ${field.kind}`;
}
