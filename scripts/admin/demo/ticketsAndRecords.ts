import type { TicketPriority } from '../../../db/tables/product/supportTickets.ts';
import type { PersonName, TenantName } from './people.ts';

export interface DemoTicket {
  tenant: TenantName;
  by: PersonName;
  daysAgo: number;
  subject: string;
  priority: TicketPriority;
  /** The first message is the question; then answers and further questions alternate. */
  messages: readonly string[];
  closedDaysAgo?: number;
}

export const TICKETS: readonly DemoTicket[] = [
  {
    ...{ tenant: 'harbor', by: 'diego', daysAgo: 202, priority: 'normal', closedDaysAgo: 199 },
    subject: 'Orders of a closed store',
    messages: [
      'May I delete the orders of a store that has closed, or does finance still need them?',
      'Finance keeps seven years: set them to cancelled instead.',
    ],
  },
  {
    ...{ tenant: 'harbor', by: 'chloe', daysAgo: 64, priority: 'high', closedDaysAgo: 61 },
    subject: 'Scanners in hall 3 get 401',
    messages: [
      'Since this morning every scanner in hall 3 is refused.',
      'Their old key ended with the rotation. The new one is in the vault under “Warehouse gateway”.',
      'They work again, thank you.',
    ],
  },
  {
    ...{ tenant: 'harbor', by: 'diego', daysAgo: 3, priority: 'normal' },
    subject: 'Which key does Fjord Post get?',
    messages: ['They start on Monday and ask for orders and notifications only.'],
  },
  {
    ...{ tenant: 'lumen', by: 'grace', daysAgo: 38, priority: 'low', closedDaysAgo: 36 },
    subject: 'Number of requests last month',
    messages: [
      'Where do I see how many requests the portal made last month?',
      'Usage, with the window set to 30 days.',
    ],
  },
  {
    ...{ tenant: 'lumen', by: 'farid', daysAgo: 5, priority: 'high' },
    subject: 'Claims key ends this week',
    messages: [
      'The key of Insurance claims ends in a few days. Shall we rotate it before the weekend?',
      'Yes, with a day of grace.',
    ],
  },
  {
    ...{ tenant: 'pico', by: 'chloe', daysAgo: 15, priority: 'normal' },
    subject: 'Preview images come back empty',
    messages: ['The pipeline uploads them, but the list shows a size of 0.'],
  },
];

export interface DemoRecord {
  tenant: TenantName;
  resource: string;
  daysAgo: number;
  data: Readonly<Record<string, unknown>>;
}

const kept = (
  tenant: TenantName,
  resource: string,
  daysAgo: number,
  ...all: readonly Readonly<Record<string, unknown>>[]
): DemoRecord[] => all.map((data, place) => ({ tenant, resource, daysAgo: daysAgo - place * 3, data }));

/** A few records for the keys to read. */
export const RECORDS: readonly DemoRecord[] = [
  ...kept(
    'harbor',
    'projects',
    300,
    { name: 'Hall 6 opens', status: 'done' },
    { name: 'Fewer empty trips', description: 'Plan return loads with the partners' },
    { name: 'New carrier: Fjord Post', status: 'planned' },
  ),
  ...kept(
    'harbor',
    'products',
    290,
    { name: 'Pallet, standard', sku: 'PAL-01', price: { amount: 1250, currency: 'EUR' } },
    { name: 'Crate, 60 × 40', sku: 'CRA-64', price: { amount: 480, currency: 'EUR' } },
    { name: 'Label roll', sku: 'LAB-10', price: { amount: 320, currency: 'EUR' } },
  ),
  ...kept(
    'harbor',
    'inventory',
    280,
    { name: 'Pallet, standard', sku: 'PAL-01', quantity: 1840, location: 'Hall 2' },
    { name: 'Crate, 60 × 40', sku: 'CRA-64', quantity: 612, location: 'Hall 3' },
    { name: 'Label roll', sku: 'LAB-10', quantity: 75, location: 'Dock 4' },
  ),
  ...kept(
    'harbor',
    'customers',
    270,
    { name: 'Marta Nowak', email: 'marta@shop.example.com', company: 'Corner Shop' },
    { name: 'Atlas Freight', email: 'dispatch@atlas.example.com' },
  ),
  ...kept(
    'harbor',
    'orders',
    20,
    { name: 'Order 48213', status: 'shipped' },
    { name: 'Order 48240', status: 'paid' },
    { name: 'Order 48251' },
  ),
  ...kept('lumen', 'customers', 200, { name: 'Patient 1041' }, { name: 'Patient 1042' }),
  ...kept('lumen', 'files', 30, { name: 'results-1041.pdf', mediaType: 'application/pdf', size: 48_213 }),
  ...kept('pico', 'products', 130, { name: 'Poster, A2' }, { name: 'Sticker set', status: 'draft' }),
];
