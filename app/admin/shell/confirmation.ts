import type { Context } from '../../context.ts';
import type { Section } from './frame.ts';
import type { Pages } from './pages.ts';

/** A dialog that asks before a change that is not easily undone. */
export interface Confirmation {
  title: string;
  /** What the change does, in sentences. */
  lines: readonly string[];
  /** Where the answer is sent. */
  action: string;
  /** Hidden fields that are submitted too. */
  fields?: Readonly<Record<string, string>>;
  submit: string;
  /** The button that changes nothing, on which the focus rests. */
  keep: string;
  back: string;
  /** Whether the change removes something. */
  danger?: boolean;
}

/** Asks the reader: in a dialog over their page where htmx asks for it, else on a page of its own. */
export async function askConfirmation(
  pages: Pages,
  ctx: Context,
  section: Section | undefined,
  question: Confirmation,
): Promise<void> {
  await pages.show(ctx, 'shell/confirm', {
    title: question.title,
    ...(section && { section }),
    part: 'shell/_confirm',
    locals: { question },
  });
}
