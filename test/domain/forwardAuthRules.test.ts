import { expect } from 'chai';
import {
  mismatchOf,
  MOST_RULES,
  neverMatching,
  routeOfRule,
  RuleSet,
  type ForwardAuthRule,
  type ProxiedRequest,
} from '../../app/domain/forwardAuthRules.ts';
import { ForwardAuthRulesInput, rulesIn } from '../../app/domain/forwardAuthRuleInput.ts';
import fc from '../support/properties.ts';
import vectors from '../vectors/forwardAuthRules.json' with { type: 'json' };

/** `GET host/path`, as a rule or a request. */
function partsOf(line: string): { method: string; host: string; path: string } {
  const [method = '', address = ''] = line.split(' ');
  const slash = address.indexOf('/');
  return { method, host: address.slice(0, slash), path: address.slice(slash) };
}

function ruleOf(line: string): ForwardAuthRule {
  const { method, host, path } = partsOf(line);
  return { method, path, ...(host !== '' && { host }), scope: 'read' };
}

describe('The rules of proxied requests', () => {
  for (const { rule, request, matches, because } of vectors.matches) {
    it(`${rule} is ${matches ? '' : 'not '}about ${request}: ${because}`, () => {
      const asked: ProxiedRequest = partsOf(request);
      expect(new RuleSet([ruleOf(rule)]).firstMatch(asked)).to.equal(matches ? 0 : undefined);
      expect(mismatchOf(ruleOf(rule), asked) === undefined).to.equal(matches);
    });
  }

  for (const { rules, hidden, because } of vectors.hidden) {
    it(`[${rules.join(', ')}] has ${hidden.length === 0 ? 'no rule' : 'a rule'} that never matches: ${because}`, () => {
      expect(neverMatching(rules.map(ruleOf))).to.deep.equal(hidden.map(([rule, hiddenBy]) => ({ rule, hiddenBy })));
    });
  }

  const segment = fc.constantFrom('a', 'b', ':x');
  const path = fc
    .tuple(fc.array(segment, { maxLength: 3 }), fc.boolean())
    .map(([segments, open]) => `/${[...segments, ...(open ? ['*'] : [])].join('/')}`);
  const rule = fc.record({
    method: fc.constantFrom('*', 'GET', 'HEAD', 'POST'),
    host: fc.constantFrom('', 'a.example', '*.example', '*.a.example'),
    path,
  });
  const rules = fc
    .array(rule, { maxLength: 12 })
    .map((lines) => lines.map(({ method, host, path }) => ruleOf(`${method} ${host}${path}`)));
  const request = fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT'),
    host: fc.constantFrom('', 'a.example', 'b.a.example', 'example'),
    path: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
  });

  it('decide as one that asks each in its order does', () => {
    fc.assert(
      fc.property(rules, request, (list, asked) => {
        const first = list.findIndex((one) => mismatchOf(one, asked) === undefined);
        expect(new RuleSet(list).firstMatch(asked)).to.equal(first === -1 ? undefined : first);
      }),
      { numRuns: 500 },
    );
  });

  it('are never matched where they are said to never match', () => {
    fc.assert(
      fc.property(rules, request, (list, asked) => {
        const matched = new RuleSet(list).firstMatch(asked);
        expect(neverMatching(list).map((hidden) => hidden.rule)).not.to.include(matched);
      }),
      { numRuns: 500 },
    );
  });

  it('are asked as fast where there are as many as may be', () => {
    const many = Array.from({ length: MOST_RULES }, (_, at) => ruleOf(`GET /api/v1/things${at}/:id/parts`));
    const set = new RuleSet(many);
    const asked = partsOf(`GET /api/v1/things${MOST_RULES - 1}/42/parts`);
    const begun = process.cpuUsage();
    for (let n = 0; n < 100_000; n++) set.firstMatch(asked);
    // Asking each rule in its order takes a hundred times as long.
    expect(process.cpuUsage(begun).user / 1_000).to.be.below(1_000);
  });

  it('add up the uses of a key by the pattern, and by the path where the pattern leaves it open', () => {
    expect(routeOfRule(ruleOf('GET /projects/:id'), '/projects/42')).to.equal('/projects/:id');
    expect(routeOfRule(ruleOf('GET /files/:area/*'), '/files/7/a/b.txt')).to.equal('/files/:area/a/b.txt');
    expect(routeOfRule(ruleOf('* /*'), '/')).to.equal('/');
  });

  describe('as input', () => {
    const read = (given: object) =>
      rulesIn(ForwardAuthRulesInput.parse({ rules: [{ method: 'GET', path: '/', scope: 'read', ...given }] }))[0];
    const problemOf = (given: object) => {
      const result = ForwardAuthRulesInput.safeParse({
        rules: [{ method: 'GET', path: '/', scope: 'read', ...given }],
      });
      return result.error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    };

    it('are brought into their one spelling', () => {
      expect(
        read({ method: 'get', host: 'API.Example.com', path: '/caf%c3%a9/', scope: 'read:projects' }),
      ).to.deep.equal({
        method: 'GET',
        host: 'api.example.com',
        path: '/caf%C3%A9',
        scope: 'projects:read',
      });
      expect(read({ host: '*.Bücher.example', path: '/café/:id/*' })).to.include({
        host: '*.xn--bcher-kva.example',
        path: '/caf%C3%A9/:id/*',
      });
      expect(read({ scope: undefined, public: true })).to.deep.equal({ method: 'GET', path: '/', public: true });
      expect(read({ path: '/items:batch' })).to.include({ path: '/items:batch' });
    });

    const wrong: Record<string, [given: object, problem: string]> = {
      'without a slash': [{ path: 'projects' }, 'path path_not_absolute'],
      'with a query': [{ path: '/a?b' }, 'path pattern_has_query'],
      'with a star within': [{ path: '/a/*/b' }, 'path pattern_star_not_last'],
      'with a star in a segment': [{ path: '/a*' }, 'path pattern_star_not_last'],
      'with two stars': [{ path: '/**' }, 'path pattern_star_not_last'],
      'with a parameter without a name': [{ path: '/a/:' }, 'path pattern_param_name'],
      'with an odd parameter': [{ path: '/a/:b-c' }, 'path pattern_param_name'],
      'with dots': [{ path: '/a/../b' }, 'path path_dot_segment'],
      'with two slashes': [{ path: '//a' }, 'path path_empty_segment'],
      'with an escaped slash': [{ path: '/a%2Fb' }, 'path path_encoded_slash'],
      'with a bad escape': [{ path: '/a%' }, 'path path_bad_escape'],
      'with a port': [{ host: 'a.example:80' }, 'host must_be_host'],
      'with a star within its host': [{ host: 'a.*.example' }, 'host must_be_host'],
      'with an address for its host': [{ host: 'https://a.example' }, 'host must_be_host'],
      'with two methods': [{ method: 'GET,POST' }, 'method must_be_method'],
      'with no scope at all': [{ scope: undefined }, ' rule_takes_scope_or_public'],
      'with a scope and open to everybody': [{ public: true }, ' rule_takes_scope_or_public'],
      'with no such thing as a scope': [{ scope: 'Read Me' }, 'scope not_a_scope'],
    };
    for (const [what, [given, problem]] of Object.entries(wrong)) {
      it(`are refused ${what}`, () => {
        expect(problemOf(given)).to.deep.equal([
          `rules.0${problem === '' ? '' : problem.startsWith(' ') ? '' : '.'}${problem}`,
        ]);
      });
    }
  });
});
