import type { IForbiddenRuleType } from 'dependency-cruiser'
import { layers, outside, packageRules, underneath } from './import-table.js'

const literal = (path: string): string => path.replaceAll('.', '\\.').replaceAll('*', '[^/]+')
const oneOf = (names: readonly string[]): string => `(?:${names.map(literal).join('|')})`

/** A vendor is met in some `node_modules`, or under its bare name where it is not installed. */
const vendorPaths = (name: string): string[] => [`node_modules/${literal(name)}/`, `^${literal(name)}(?:/|$)`]
const entriesOf = (folder: string): string[] => [
  `^${literal(folder)}/src/index\\.ts$`,
  `^${literal(folder)}/src/[^/]+/index\\.ts$`,
]

/** Tests, and what only tests use. */
const tests = ['\\.test\\.ts$', '^packages/.+/src/promises/', '^packages/[^/]+/[^/]+/src/(?:testing|truth)/']
const installed = 'node_modules/'

const betweenPackages = packageRules.flatMap(({ from, packages, vendors }): IForbiddenRuleType[] => {
  const open = [`^${literal(from)}/src/`, ...packages.flatMap(entriesOf), ...vendors.flatMap(vendorPaths)]
  return [
    {
      name: `${from} imports only ${['node:', ...packages, ...vendors].join(', ')}`,
      severity: 'error',
      from: { path: `^${literal(from)}/src/`, pathNot: tests },
      to: { pathNot: open, dependencyTypesNot: ['core'] },
    },
    {
      name: `the tests of ${from} import other packages only as its sources may, and the testkit`,
      severity: 'error',
      from: { path: `^${literal(from)}/src/` },
      to: { path: '^packages/', pathNot: [...open, ...entriesOf('packages/testkit'), installed] },
    },
  ]
})

const betweenLayers = layers.map((layer, depth): IForbiddenRuleType => {
  const below = [...layers.slice(depth), ...underneath]
  return {
    name: `core/${layer} imports only downward: ${below.join(', ')}`,
    severity: 'error',
    from: { path: `^packages/core/src/${layer}/`, pathNot: tests },
    to: { path: '^packages/core/src/', pathNot: `^packages/core/src/${oneOf(below)}/` },
  }
})

/** The rules that follow from the table. */
export const importRules: IForbiddenRuleType[] = [
  ...betweenPackages,
  ...betweenLayers,
  {
    name: `core/${underneath.join(', core/')} lie under all layers`,
    severity: 'error',
    from: { path: `^packages/core/src/${oneOf(underneath)}/`, pathNot: tests },
    to: { path: '^packages/core/src/', pathNot: `^packages/core/src/${oneOf([...underneath, 'ports'])}/` },
  },
  {
    name: 'nothing in core imports its index',
    severity: 'error',
    from: { path: '^packages/core/src/', pathNot: tests },
    to: { path: '^packages/core/src/index\\.ts$' },
  },
  {
    name: 'every folder of core is a layer of the table',
    severity: 'error',
    from: {
      path: '^packages/core/src/',
      pathNot: [`^packages/core/src/${oneOf([...layers, ...underneath])}/`, '^packages/core/src/index\\.ts$', ...tests],
    },
    to: {},
  },
  {
    name: 'every package has a rule in the table',
    severity: 'error',
    from: { path: '^packages/', pathNot: packageRules.map(({ from }) => `^${literal(from)}/`) },
    to: {},
  },
  {
    name: 'what is published does not import what is for tests',
    severity: 'error',
    from: { path: '^packages/', pathNot: [...tests, '^packages/testkit/'] },
    to: { path: tests },
  },
  {
    name: `no package imports ${outside.join(', ')}`,
    severity: 'error',
    from: { path: '^packages/' },
    to: { path: `^${oneOf(outside)}/` },
  },
  {
    name: 'no circle of imports that run',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
]
