import { expect } from 'chai';
import { as } from '../support/cast.ts';
import { onDatabase } from '../support/databases.ts';
import { useServer } from '../support/useServer.ts';

onDatabase('sqlite', 'a problem document', (database) => {
  const { server, alice } = useServer(database);

  const french = { 'Accept-Language': 'fr-FR,fr;q=0.9' };

  it('has its detail in French where French is asked for, its code and title as they are', async () => {
    const answer = await server.get('/api/v1/whoami', french);
    expect(answer.status).to.equal(401);
    expect(answer.body).to.include({
      code: 'missing_credential',
      title: 'Credential required',
      detail: 'Envoyez une clé d’API ou un jeton Bearer.',
    });
    const { body } = await server.get('/api/v1/whoami');
    expect(body).to.include({ detail: 'Send an API key or a Bearer token.' });
  });

  it('has the messages of its fields in French, and names in both languages what a field wants', async () => {
    const key = { name: 7, scopes: ['Fly'], expiresInDays: 9_999, kind: 'x' };
    const paths = ['name', 'scopes.0', 'expiresInDays', 'kind'];
    const english = await server.post('/api/api-keys', key, as(alice));
    expect(english.status).to.equal(422);
    expect(english.body)
      .to.have.property('errors')
      .that.deep.equals([
        { path: paths[0], message: 'Must be text' },
        { path: paths[1], message: 'Not a scope' },
        { path: paths[2], message: 'Must be at most 365' },
        { path: paths[3], message: 'Unknown field' },
      ]);
    const { body } = await server.post('/api/api-keys', key, { ...as(alice), ...french });
    expect(body)
      .to.have.property('errors')
      .that.deep.equals([
        { path: paths[0], message: 'Doit être du texte' },
        { path: paths[1], message: 'N’est pas un accès' },
        { path: paths[2], message: 'Doit être au plus 365' },
        { path: paths[3], message: 'Champ inconnu' },
      ]);
    expect(body).to.include({ code: 'invalid_input', title: 'Invalid input' });
  });

  it('says what is missing instead of what a library found in its place', async () => {
    const { body } = await server.post('/api/api-keys', {}, as(alice));
    expect(body)
      .to.have.property('errors')
      .that.deep.equals([{ path: 'name', message: 'Is required' }]);
  });
});
