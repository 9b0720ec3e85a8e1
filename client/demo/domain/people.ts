/** Who uses the demo. */

export interface Person {
  readonly id: string;
  readonly name: string;
}

export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly people: readonly [Person, Person, ...Person[]];
}

/** `demo` is the tenant of the local stack's own commands, such as `rtlocal publish`. */
export const tenants: readonly [Tenant, Tenant] = [
  {
    id: 'demo',
    name: 'Acme',
    people: [
      { id: 'user-ana', name: 'Ana Berg' },
      { id: 'user-mo', name: 'Mo Khan' },
      { id: 'user-jo', name: 'Jo Ortiz' },
      { id: 'user-lea', name: 'Lea Sand' },
    ],
  },
  {
    id: 'demo-north',
    name: 'Northwind',
    people: [
      { id: 'user-kim', name: 'Kim Lund' },
      { id: 'user-sam', name: 'Sam Osei' },
    ],
  },
];

/** The tenant of an id; what another program made up counts as the first. */
export const tenantOf = (id: string): Tenant => tenants.find((tenant) => tenant.id === id) ?? tenants[0];

export const personOf = (id: string): Person | undefined => tenants.flatMap(({ people }) => people as readonly Person[]).find((person) => person.id === id);
