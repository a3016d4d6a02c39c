import type { OutputFile, StoredFile } from '../api/types';

const TYPE = 'application/x-rushes-file';

/** Let a result be dragged into a field of the form. */
export function dragged(event: DragEvent, file: OutputFile): void {
  const stored: StoredFile = {
    filename: file.name,
    key: file.key,
    content_type: file.content_type,
    size_bytes: file.size_bytes,
    width: file.width,
    height: file.height,
    duration_seconds: file.duration_seconds,
  };
  event.dataTransfer?.setData(TYPE, JSON.stringify(stored));
}

/** Whether what is being dragged could go into a form. */
export const isDroppable = (event: DragEvent): boolean =>
  ['Files', TYPE].some((type) => event.dataTransfer?.types.includes(type));

/** The result that was dropped, if it was one. */
export function droppedResult(event: DragEvent): StoredFile | null {
  const text = event.dataTransfer?.getData(TYPE);
  return text ? (JSON.parse(text) as StoredFile) : null;
}
