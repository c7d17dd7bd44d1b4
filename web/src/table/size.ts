// How many rows a page of a list has.
export const pageSizes = [20, 50, 100, 200]
export const defaultSize = 50
