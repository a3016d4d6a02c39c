// By hand until web/openapi.json is here; then `npm run api` writes this file.
interface Call {
  parameters: { query?: object; header?: object; path?: object; cookie?: never };
  requestBody?: { content: { 'application/json': object } };
  responses: {
    200: { headers: Record<string, unknown>; content: { 'application/json': unknown } };
    400: { headers: Record<string, unknown>; content: { 'application/json': unknown } };
  };
}
interface Get {
  get: Call;
}
interface Post {
  post: Call;
}

export interface paths {
  '/api/me': Get;
  '/api/workflows': Get;
  '/api/workflows/{workflow_type}': Get;
  '/api/uploads': Post;
  '/api/jobs': Get & Post;
  '/api/jobs/{job_id}': Get & { patch: Call; delete: Call };
  '/api/jobs/{job_id}/cancel': Post;
  '/api/jobs/{job_id}/restore': Post;
  '/api/jobs/{job_id}/graph': Get;
  '/api/jobs/{job_id}/attempts': Get;
  '/api/jobs/{job_id}/events': Get;
  '/readyz': Get;
}
