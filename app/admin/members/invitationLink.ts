import type { Config } from '../../config.ts';
import type { Context } from '../../context.ts';
import { invitationLink, type inviteMember } from '../../actions/people/inviteMember.ts';
import { requestOrigin } from '../shell/curl.ts';
import type { Section } from '../shell/frame.ts';
import type { Pages } from '../shell/pages.ts';

/** Shows the link of a new invitation, at the one moment it can be shown. */
export async function showInvitationLink(
  pages: Pages,
  { publicUrl }: Pick<Config, 'publicUrl'>,
  ctx: Context,
  { invitation, token }: Awaited<ReturnType<typeof inviteMember>>,
  { section, back }: { section: Section; back: string },
): Promise<void> {
  const { t } = pages.texts(ctx);
  const { email } = invitation;
  const once = {
    title: t('members.link_title', { email }),
    warning: t('members.link_warning', { email }),
    label: t('members.link'),
    value: invitationLink(requestOrigin(ctx, publicUrl), token),
    copied: t('members.link_copied'),
    back,
  };
  await pages.show(ctx, 'shell/reveal', {
    title: once.title,
    section,
    here: back,
    part: 'shell/_reveal',
    locals: { once },
  });
}
