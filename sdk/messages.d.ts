export interface Catalogue {}
export interface Commands {}
