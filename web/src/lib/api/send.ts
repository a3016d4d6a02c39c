import { errorFrom, unreachable } from './errors';
import type { Upload } from './types';

export interface Sending {
  finished: Promise<Upload>;
  abort: () => void;
}

/** PUT a file's raw bytes. XMLHttpRequest, because fetch tells nothing of an upload's progress. */
export function send(url: string, file: Blob, onProgress: (share: number) => void): Sending {
  const request = new XMLHttpRequest();
  const finished = new Promise<Upload>((resolve, reject) => {
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response as Upload);
      else reject(errorFrom(request.status, request.response));
    };
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'));
  });
  request.open('PUT', url);
  request.responseType = 'json';
  request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
  request.send(file);
  return { finished, abort: () => request.abort() };
}
