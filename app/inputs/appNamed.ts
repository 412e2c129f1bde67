import { findApp, type App } from '../domain/apps.ts';
import { AppError } from '../errors.ts';

/** The app of this name; 404 if there is none. */
export function appNamed(id: string): App {
  const app = findApp(id);
  if (!app) throw new AppError('not_found', 'no_such_app');
  return app;
}
