/** The code of a document, block by block, by the command that it calls; made of the document when the page is built. */
export const blocks: Record<string, () => Promise<unknown>>
