CREATE OR REPLACE TRIGGER {guard} BEFORE UPDATE ON public.{name} FOR EACH ROW
    WHEN (current_setting('rushes.keep_updated_at', true) = 'on')
    EXECUTE FUNCTION rushes_legacy.keep_updated_at()
