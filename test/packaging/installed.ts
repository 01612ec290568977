/** How the installation ended, as the file `INSTALLED` in its folder tells it, in JSON. */
export type Installed =
  | {
      readonly is: 'there'
      /** The tarball of each package, by its name. */
      readonly tarballs: Readonly<Record<string, string>>
    }
  | { readonly is: 'failed'; readonly why: string }

/** The file is there once the installation has ended. */
export const INSTALLED = 'installed.json'
