/** What a kernel is called with. */
export interface KernelInput {
  readonly ctx: Uint8Array
  readonly len: number
}
