/** The configuration where there is none. */
export default {}
