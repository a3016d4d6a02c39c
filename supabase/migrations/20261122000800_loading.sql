-- What it costs to swap models, learned from the runs: an idle server leaves a job to a server where its models
-- are loaded for as long as loading them would take, and no longer.

-- Moving averages of ComfyUI's own run times, in seconds: with the models loaded, and with loading them first.
ALTER TABLE public.workflow_requirements
    ADD COLUMN warm_seconds real,
    ADD COLUMN cold_seconds real;
GRANT SELECT (warm_seconds, cold_seconds) ON public.workflow_requirements TO authenticated;

-- Where a model set is loaded.
CREATE INDEX comfy_servers_warm ON public.comfy_servers (warm_model_set);

ALTER TABLE public.workflow_job_leases
    ADD COLUMN cold boolean NOT NULL DEFAULT false;
