import { complain, isLimit } from '../actions';
import { api } from '../api/calls';
import { messageOf } from '../api/errors';
import { send } from '../api/send';
import { uuid } from '../unique';
import type { MediaValue } from './media';

/** A file from this computer on its way to the server. */
export class LocalMedia implements MediaValue {
  readonly id = uuid();
  readonly filename: string;
  contentType = $state('');
  readonly size: number;
  readonly preview: string;
  state = $state<MediaValue['state']>('uploading');
  progress = $state(0);
  problem = $state('');
  reference = $state.raw<MediaValue['reference']>(null);
  width = $state<number | null>();
  height = $state<number | null>();
  duration = $state<number | null>();
  /** Settles when it is stored, failed or dropped. */
  readonly finished: Promise<void>;
  #abort: () => void = () => undefined;
  #dropped = false;

  constructor(file: File) {
    this.filename = file.name;
    this.contentType = file.type;
    this.size = file.size;
    this.preview = URL.createObjectURL(file);
    this.finished = this.#upload(file);
  }

  /** Stop sending, or forget what was sent. */
  drop(): void {
    this.#dropped = true;
    this.#abort();
    URL.revokeObjectURL(this.preview);
  }

  async #upload(file: File): Promise<void> {
    try {
      const created = await api.createUpload({
        filename: file.name,
        size_bytes: file.size,
        content_type: file.type || 'application/octet-stream',
      });
      if (this.#dropped || !created.put_url) return;
      const sending = send(created.put_url, file, (share) => (this.progress = share));
      this.#abort = sending.abort;
      const stored = await sending.finished;
      [this.width, this.height] = [stored.width, stored.height];
      this.duration = stored.duration_seconds;
      this.contentType = stored.content_type; // what it really is, whatever it was called
      this.reference = { upload_id: stored.id };
      this.state = 'stored';
    } catch (error) {
      this.problem = messageOf(error);
      if (isLimit(error)) complain(error); // with the way to the limits
      this.state = 'failed';
    }
  }
}

export const dropMedia = (media: MediaValue | null): void => {
  if (media instanceof LocalMedia) media.drop();
};
