/**
 * What Slack publishes for messages made of blocks, in UTF-16 code units (https://docs.slack.dev/reference/block-kit). `richText` and `total`
 * are not published for rich text: they are the numbers of the nearest published neighbours, a section's text and the markdown of one message.
 */
export const LIMITS = {
  blocks: 50,
  header: 150,
  richText: 3_000,
  fields: 10,
  field: 2_000,
  contextElements: 10,
  contextText: 3_000,
  actionElements: 25,
  buttonText: 75,
  buttonValue: 2_000,
  actionId: 255,
  url: 3_000,
  altText: 2_000,
  overflowOptions: 5,
  selectOptions: 100,
  optionText: 75,
  optionValue: 150,
  /** Of a step in a stream; not published, and refused beyond. */
  taskTitle: 256,
  /** All texts of one message together. */
  total: 12_000,
  /** The notification beside the blocks. */
  fallback: 1_000,
} as const
