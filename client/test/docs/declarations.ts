/** What the package's sources declare, for the tests of the documentation. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const src = join(import.meta.dirname, '../../src');
const fileOf = (entry: string): string => ['.ts', '.tsx'].map((ending) => join(src, entry, 'index' + ending)).find(existsSync) ?? '';

/** One option of an interface. */
export interface Option {
  readonly name: string;
  /** What `@defaultValue` says, without links and backticks. */
  readonly defaultValue: string | undefined;
}

export interface Declarations {
  /** Names of hooks, components and functions of an entry such as `react`. */
  values(entry: string): readonly string[];
  /** The options of an exported type, those of nested objects as `ping.intervalMs`. */
  options(type: string): readonly Option[];
  /** The members of a union of literals. */
  literals(type: string): readonly string[];
}

/** Reads entries; '' is the package itself. */
export function declarationsOf(entries: readonly string[]): Declarations {
  const files = entries.map(fileOf);
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(join(src, '../tsconfig.json'), ts.sys.readFile).config, ts.sys, join(src, '..'));
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const exportsOf = (file: string): readonly ts.Symbol[] => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file) as ts.Node);
    return checker.getExportsOfModule(module as ts.Symbol).map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
  };
  const typeOf = (name: string): ts.Type => {
    const symbol = files.flatMap(exportsOf).find((one) => one.name === name && one.flags & ts.SymbolFlags.Type);
    if (!symbol) throw new Error(`nothing exports a type ${name}`);
    return checker.getDeclaredTypeOfSymbol(symbol);
  };
  const optionsOf = (type: ts.Type, prefix = ''): readonly Option[] =>
    checker.getPropertiesOfType(checker.getNonNullableType(type)).flatMap((property) => {
      const [declaration] = property.declarations || [];
      // What a component hands on to its element is not an option of ours.
      if (!declaration || !declaration.getSourceFile().fileName.startsWith(src)) return [];
      const name = prefix + property.name;
      const inner = checker.getNonNullableType(checker.getTypeOfSymbol(property));
      const isGroup = !inner.aliasSymbol && ['backoff', 'ping', 'recovery'].includes(name) && inner.flags & ts.TypeFlags.Object;
      if (isGroup) return optionsOf(inner, name + '.');
      const tag = property.getJsDocTags(checker).find((one) => one.name === 'defaultValue');
      const text = tag && ts.displayPartsToString(tag.text);
      return [{ name, defaultValue: text && text.replace(/\{@link (\w+) *\}/g, '$1').replace(/`/g, '') }];
    });
  return {
    values: (entry) =>
      exportsOf(fileOf(entry))
        .filter(({ flags }) => flags & ts.SymbolFlags.Value)
        .map(({ name }) => name),
    options: (type) => optionsOf(typeOf(type)),
    literals(type) {
      const union = typeOf(type);
      return (union.isUnion() ? union.types : [union]).map((member) => (member as ts.StringLiteralType).value);
    },
  };
}
