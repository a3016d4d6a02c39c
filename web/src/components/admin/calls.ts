import { body, client } from '../../lib/api/calls';
import type { components } from '../../lib/api/schema';
import type { Pause, Server, Statistics } from './types';

type Schemas = components['schemas'];
export type Trial = Schemas['TrialOut'];

const server = (id: string) => ({ params: { path: { server_id: id } } });

/** The requests that only administrators may make. */
export const desk = {
  servers: async () => (await body(client.GET('/api/servers'))).data as unknown as Server[],

  add: (asked: { url: string; name?: string }) =>
    body(client.POST('/api/servers', { body: { ...asked, slots: 1 } })),

  change: (id: string, changes: Schemas['ServerChanges']) =>
    body(client.PATCH('/api/servers/{server_id}', { ...server(id), body: changes })),

  remove: (id: string) => body(client.DELETE('/api/servers/{server_id}', server(id))),
  test: (id: string) => body(client.POST('/api/servers/{server_id}/test', server(id))),
  free: (id: string) => body(client.POST('/api/servers/{server_id}/free', server(id))),

  pauses: async () => (await body(client.GET('/api/queue/pauses'))).data as unknown as Pause[],

  pause: (type: string, reason: string) =>
    body(
      client.POST('/api/queue/pauses', {
        body: { workflow_type: type, ...(reason && { reason }) },
      }),
    ),

  resume: (type: string) =>
    body(
      client.DELETE('/api/queue/pauses/{workflow_type}', {
        params: { path: { workflow_type: type } },
      }),
    ),

  statistics: async (hours: number) =>
    (await body(
      client.GET('/api/stats', { params: { query: { hours } } }),
    )) as unknown as Statistics,
};
