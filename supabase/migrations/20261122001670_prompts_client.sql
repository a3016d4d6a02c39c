-- Prompts of one dispatcher share a websocket, so what a prompt was sent with is its sender's and has to be kept:
-- whoever takes the job over hears of it under the same client id. People don't see it (grants are by column).
ALTER TABLE public.workflow_prompts ADD COLUMN client_id text;
COMMENT ON COLUMN public.workflow_prompts.client_id IS
    'The websocket id that ComfyUI tells about this prompt; NULL: it was sent before this column was there.';
