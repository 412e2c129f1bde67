import { z } from 'zod';
import type { Draft } from '../../../db/tables/product/builderDrafts.ts';
import type { DraftVersion } from '../../../db/tables/product/builderDraftVersions.ts';
import { iso } from '../../domain/times.ts';

/** A draft as its list shows it: with the number of its newest version, without the content of any. */
export const DraftAnswer = z.strictObject({
  id: z.string(),
  name: z.string(),
  version: z.int(),
  createdBy: z.string().nullable(),
  createdWith: z.string().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

export const DraftListAnswer = z.strictObject({ data: z.array(DraftAnswer), nextCursor: z.string().nullable() });

/** One version of a draft: who saved it, and what. */
export const DraftVersionAnswer = z.strictObject({
  id: z.string(),
  name: z.string(),
  version: z.int(),
  latestVersion: z.int(),
  content: z.unknown(),
  savedBy: z.string().nullable(),
  savedWith: z.string().nullable(),
  savedAt: z.iso.datetime(),
});

export function presentDraft(draft: Draft): z.output<typeof DraftAnswer> {
  const { id, name, version, createdBy, createdWith, createdAt, updatedAt } = draft;
  return { id, name, version, createdBy, createdWith, createdAt: iso(createdAt), updatedAt: iso(updatedAt) };
}

export function presentDraftVersion(draft: Draft, saved: DraftVersion): z.output<typeof DraftVersionAnswer> {
  return {
    id: draft.id,
    name: draft.name,
    version: saved.version,
    latestVersion: draft.version,
    content: saved.content,
    savedBy: saved.createdBy,
    savedWith: saved.createdWith,
    savedAt: iso(saved.createdAt),
  };
}
