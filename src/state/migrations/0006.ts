/** On Workers the limits of a key are counted in one place, whichever project it is moved to. */
export const sixth: readonly string[] = ['ALTER TABLE keys ADD COLUMN home TEXT']
