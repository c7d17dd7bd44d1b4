/** ownZone is the browser's time zone, as the IANA names it. */
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
