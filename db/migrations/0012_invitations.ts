import { addColumn, addIndex, createTable, type Step } from './steps.ts';

/** The id of the person who set the installation up and chose their own password then. */
const FIRST_PERSON = '00000000-0000-7000-8000-000000000001';

/** Invitations that wait for the invited person, links that reset a password, and accounts whose password others may know. */
export const invitations: Step[] = [
  createTable('invitations', ({ table, id, ascii, time, hash }) => {
    id('id').primary();
    id('tenant_id').notNullable();
    ascii('email', 254).notNullable();
    ascii('role', 16).notNullable();
    table.text('permissions').notNullable().comment('JSON list of what the role does not already give');
    hash('token_hash').notNullable();
    ascii('status', 16).notNullable().comment('pending, accepted, declined or withdrawn');
    ascii('inviter_type', 16).notNullable();
    id('inviter_id');
    table.string('inviter_name', 100);
    time('created_at').notNullable();
    time('updated_at').notNullable();
    time('expires_at').notNullable();
  }),
  addIndex('invitations', ['token_hash'], { unique: true }),
  addIndex('invitations', ['tenant_id', 'email'], { unique: true }),
  addIndex('invitations', ['tenant_id', 'status', 'id']),
  addIndex('invitations', ['expires_at']),

  createTable('password_resets', ({ id, time, hash }) => {
    id('user_id').primary();
    hash('token_hash').notNullable();
    time('created_at').notNullable();
    time('expires_at').notNullable();
  }),
  addIndex('password_resets', ['token_hash'], { unique: true }),
  addIndex('password_resets', ['expires_at']),

  addColumn('users', 'vouched_at', ({ time }) => {
    time('vouched_at').comment('when an operator made the account or the link by which its password was chosen');
  }),
  addColumn('users', 'confined_to', ({ id }) => {
    id('confined_to').comment('the only tenant open to the account until its password is reset by an operator’s link');
  }),
  {
    name: 'vouch for the first person',
    async up(db) {
      await db('users')
        .where({ id: FIRST_PERSON })
        .whereNull('vouched_at')
        .update({ vouched_at: db.ref('created_at') });
    },
  },
  {
    name: 'confine accounts whose first password was never changed',
    async up(db) {
      const first = db('memberships')
        .where('memberships.user_id', db.ref('users.id'))
        .orderBy(['memberships.created_at', 'memberships.tenant_id'])
        .limit(1)
        .select('memberships.tenant_id');
      // No tenant has an empty id: whoever belongs to none yet is confined too.
      await db('users')
        .whereNull('password_changed_at')
        .whereNotNull('password_hash')
        .whereNull('vouched_at')
        .whereNull('confined_to')
        .update({ confined_to: db.raw(`coalesce(?, '')`, [first]) });
    },
  },
];
