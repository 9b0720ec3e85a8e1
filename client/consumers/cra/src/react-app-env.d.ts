// What Create React App declares of Node, as far as the guide for such an application uses it.
declare const process: { readonly env: { readonly [name: string]: string | undefined } };
