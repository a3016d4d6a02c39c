INSERT INTO public.workflow_requirements (digest, workflow_type, node_classes, models, model_set)
VALUES (%(digest)s, %(workflow_type)s, %(node_classes)s, %(models)s, %(model_set)s)
ON CONFLICT (digest) DO NOTHING
