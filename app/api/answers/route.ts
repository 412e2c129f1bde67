import { z } from 'zod';
import type { Access } from '../../http/access.ts';
import type { Route } from '../../http/table.ts';

/** The access that each endpoint requires. */
export const RouteListAnswer = z.strictObject({
  data: z.array(
    z
      .strictObject({
        method: z.string(),
        path: z.string(),
        access: z.enum(['public', 'anyone', 'scope', 'permission', 'basic', 'proxy']),
        scope: z.string().optional().meta({ description: 'What an API key has to hold.' }),
        platformScope: z
          .string()
          .optional()
          .meta({ description: 'What an API key may hold instead, for every tenant.' }),
        permission: z.string().optional().meta({ description: 'What a person has to hold.' }),
        summary: z.string().nullable(),
      })
      .meta({ id: 'Route' }),
  ),
});

export function presentRoutes(routes: readonly Route[]): z.output<typeof RouteListAnswer> {
  return {
    data: routes.map(({ method, path, access, answers }) => ({
      method,
      path,
      access: access.kind,
      ...holdings(access),
      summary: answers[0]?.summary ?? null,
    })),
  };
}

function holdings(access: Access): { scope?: string; platformScope?: string; permission?: string } {
  if (access.kind === 'scope') {
    const { scope, platformScope } = access;
    return { scope, ...(platformScope !== undefined && { platformScope }) };
  }
  if (access.kind !== 'permission') return {};
  const { permission, keyScope } = access;
  return { permission, ...(keyScope !== undefined && { scope: keyScope }) };
}
