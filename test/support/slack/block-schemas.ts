import { z } from 'zod'

/**
 * Every block and element a message, a modal or a home tab may hold, with the limits Slack publishes for them
 * (https://docs.slack.dev/reference/block-kit, and the descriptions in @slack/types). Lengths are UTF-16 code units.
 */
const text = (max: number) => z.string().min(1).max(max)
const id = text(255)
const url = z
  .string()
  .max(3_000)
  .regex(/^https?:\/\/\S+$/, 'invalid url')
const plainText = (max: number) => z.strictObject({ type: z.literal('plain_text'), text: text(max), emoji: z.boolean().optional() })
const mrkdwn = (max: number) => z.strictObject({ type: z.literal('mrkdwn'), text: text(max), verbatim: z.boolean().optional() })
const textObject = (max: number) => z.discriminatedUnion('type', [plainText(max), mrkdwn(max)])

const confirm = z.strictObject({
  title: plainText(100),
  text: textObject(300),
  confirm: plainText(30),
  deny: plainText(30),
  style: z.enum(['primary', 'danger']).optional(),
})
const dispatch = z.strictObject({ trigger_actions_on: z.array(z.enum(['on_enter_pressed', 'on_character_entered'])).optional() })

const button = z.strictObject({
  type: z.literal('button'),
  text: plainText(75),
  action_id: id.optional(),
  url: url.optional(),
  value: z.string().max(2_000).optional(),
  style: z.enum(['primary', 'danger']).optional(),
  confirm: confirm.optional(),
  accessibility_label: z.string().max(75).optional(),
})

const option = z.strictObject({
  text: textObject(75),
  value: z.string().max(150),
  description: plainText(75).optional(),
  url: url.optional(),
})
const overflow = z.strictObject({
  type: z.literal('overflow'),
  action_id: id.optional(),
  options: z.array(option).min(1).max(5),
  confirm: confirm.optional(),
})

const focus = { focus_on_load: z.boolean().optional() }
const placeholder = { placeholder: plainText(150).optional() }
const optionGroup = z.strictObject({ label: plainText(75), options: z.array(option).min(1).max(100) })
const staticSelect = z.strictObject({
  type: z.literal('static_select'),
  action_id: id.optional(),
  options: z.array(option).min(1).max(100).optional(),
  option_groups: z.array(optionGroup).min(1).max(100).optional(),
  initial_option: option.optional(),
  confirm: confirm.optional(),
  ...placeholder,
  ...focus,
})
const peopleSelect = (type: 'users_select' | 'conversations_select' | 'channels_select') =>
  z.strictObject({
    type: z.literal(type),
    action_id: id.optional(),
    initial_user: z.string().optional(),
    initial_conversation: z.string().optional(),
    initial_channel: z.string().optional(),
    default_to_current_conversation: z.boolean().optional(),
    confirm: confirm.optional(),
    ...placeholder,
    ...focus,
  })
const choices = (type: 'checkboxes' | 'radio_buttons') =>
  z.strictObject({
    type: z.literal(type),
    action_id: id.optional(),
    options: z.array(option).min(1).max(10),
    initial_options: z.array(option).min(1).optional(),
    initial_option: option.optional(),
    confirm: confirm.optional(),
    ...focus,
  })
const moment = (type: 'datepicker' | 'timepicker' | 'datetimepicker') =>
  z.strictObject({
    type: z.literal(type),
    action_id: id.optional(),
    initial_date: z.iso.date().optional(),
    initial_time: z
      .string()
      .regex(/^\d\d:\d\d$/)
      .optional(),
    initial_date_time: z.int().min(1_000_000_000).max(9_999_999_999).optional(),
    timezone: z.string().optional(),
    confirm: confirm.optional(),
    ...placeholder,
    ...focus,
  })
const textInput = z.strictObject({
  type: z.literal('plain_text_input'),
  action_id: id.optional(),
  initial_value: z.string().max(3_000).optional(),
  multiline: z.boolean().optional(),
  min_length: z.int().min(0).max(3_000).optional(),
  max_length: z.int().min(1).max(3_000).optional(),
  dispatch_action_config: dispatch.optional(),
  ...placeholder,
  ...focus,
})
const numberInput = z.strictObject({
  type: z.literal('number_input'),
  action_id: id.optional(),
  is_decimal_allowed: z.boolean(),
  initial_value: z.string().optional(),
  min_value: z.string().optional(),
  max_value: z.string().optional(),
  dispatch_action_config: dispatch.optional(),
  ...placeholder,
  ...focus,
})

const imageSource = {
  image_url: url.optional(),
  slack_file: z.strictObject({ id: z.string().optional(), url: z.string().optional() }).optional(),
}
const imageElement = z.strictObject({ type: z.literal('image'), alt_text: text(2_000), ...imageSource })
const feedbackButton = z.strictObject({
  text: plainText(75),
  value: z.string().max(2_000),
  accessibility_label: z.string().max(75).optional(),
})
const feedback = z.strictObject({
  type: z.literal('feedback_buttons'),
  action_id: id.optional(),
  positive_button: feedbackButton,
  negative_button: feedbackButton,
})
const iconButton = z.strictObject({
  type: z.literal('icon_button'),
  action_id: id.optional(),
  icon: z.literal('trash'),
  text: plainText(75),
  value: z.string().max(2_000).optional(),
  accessibility_label: z.string().max(75).optional(),
  visible_to_user_ids: z.array(z.string()).optional(),
  confirm: confirm.optional(),
})

const flag = z.boolean().optional()
const style = z
  .strictObject({
    bold: flag,
    italic: flag,
    strike: flag,
    code: flag,
    underline: flag,
    highlight: flag,
    client_highlight: flag,
    unlink: flag,
  })
  .optional()
const richElement = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string().min(1), style }),
  z.strictObject({ type: z.literal('link'), url: z.string().min(1).max(3_000), text: z.string().optional(), unsafe: flag, style }),
  z.strictObject({ type: z.literal('emoji'), name: z.string().min(1), unicode: z.string().optional(), style }),
  z.strictObject({ type: z.literal('user'), user_id: z.string(), style }),
  z.strictObject({ type: z.literal('usergroup'), usergroup_id: z.string(), style }),
  z.strictObject({ type: z.literal('channel'), channel_id: z.string(), style }),
  z.strictObject({ type: z.literal('broadcast'), range: z.enum(['here', 'channel', 'everyone']), style }),
  z.strictObject({ type: z.literal('color'), value: z.string(), style }),
  z.strictObject({
    type: z.literal('date'),
    timestamp: z.int(),
    format: z.string().regex(/\{[a-z_]+\}/, 'invalid date format'),
    url: url.optional(),
    fallback: z.string().optional(),
    style,
  }),
])
const border = { border: z.int().min(0).max(1).optional() }
const richSection = z.strictObject({ type: z.literal('rich_text_section'), elements: z.array(richElement) })
const richPart = z.discriminatedUnion('type', [
  richSection,
  z.strictObject({
    type: z.literal('rich_text_list'),
    style: z.enum(['bullet', 'ordered']),
    elements: z.array(richSection).min(1),
    indent: z.int().min(0).max(8).optional(),
    offset: z.int().min(0).optional(),
    ...border,
  }),
  z.strictObject({ type: z.literal('rich_text_quote'), elements: z.array(richElement), ...border }),
  z.strictObject({ type: z.literal('rich_text_preformatted'), elements: z.array(richElement), language: z.string().optional(), ...border }),
])

const block = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.strictObject({ type: z.literal(type), block_id: id.optional(), ...shape })

const richText = block('rich_text', { elements: z.array(richPart).min(1) })
const cell = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('raw_text'), text: z.string().min(1) }),
  z.strictObject({ type: z.literal('raw_number'), value: z.number(), text: z.string().optional() }),
  richText,
])
const tableRow = z.array(cell).min(1).max(20)
const columnSetting = z.strictObject({ align: z.enum(['left', 'center', 'right']).optional(), is_wrapped: flag })

const actionElements = [
  button,
  overflow,
  staticSelect,
  peopleSelect('users_select'),
  peopleSelect('conversations_select'),
  peopleSelect('channels_select'),
  choices('checkboxes'),
  choices('radio_buttons'),
  moment('datepicker'),
  moment('timepicker'),
  moment('datetimepicker'),
] as const
const actions = block('actions', { elements: z.array(z.discriminatedUnion('type', actionElements)).min(1).max(25) })
const contextElement = z.discriminatedUnion('type', [plainText(3_000), mrkdwn(3_000), imageElement])
const context = block('context', { elements: z.array(contextElement).min(1).max(10) })
const divider = block('divider', {})
const header = block('header', { text: plainText(150) })
const image = block('image', { alt_text: text(2_000), title: plainText(2_000).optional(), ...imageSource })
const section = block('section', {
  text: textObject(3_000).optional(),
  fields: z.array(textObject(2_000)).min(1).max(10).optional(),
  accessory: z.discriminatedUnion('type', [...actionElements, imageElement]).optional(),
  expand: flag,
})
const input = block('input', {
  label: plainText(2_000),
  hint: plainText(2_000).optional(),
  optional: flag,
  dispatch_action: flag,
  element: z.discriminatedUnion('type', [
    textInput,
    numberInput,
    staticSelect,
    peopleSelect('users_select'),
    peopleSelect('conversations_select'),
    peopleSelect('channels_select'),
    choices('checkboxes'),
    choices('radio_buttons'),
    moment('datepicker'),
    moment('timepicker'),
    moment('datetimepicker'),
  ]),
})
const table = block('table', { rows: z.array(tableRow).min(1).max(100), column_settings: z.array(columnSetting).max(20).optional() })

const source = z.strictObject({ type: z.literal('url'), url, text: z.string().min(1) })
const taskCard = block('task_card', {
  task_id: id,
  title: z.string().min(1),
  status: z.enum(['pending', 'in_progress', 'complete', 'error']),
  details: richText.optional(),
  output: richText.optional(),
  sources: z.array(source).optional(),
})
const card = block('card', {
  hero_image: imageElement.optional(),
  icon: imageElement.optional(),
  title: mrkdwn(150).optional(),
  subtitle: mrkdwn(150).optional(),
  body: mrkdwn(200).optional(),
  actions: z.array(button).min(1).optional(),
})
const container = block('container', {
  title: plainText(150).optional(),
  rich_text_title: richText.optional(),
  subtitle: textObject(150).optional(),
  icon: imageElement.optional(),
  child_blocks: z
    .array(z.discriminatedUnion('type', [actions, context, divider, header, image, input, richText, section, table]))
    .min(1)
    .max(10),
  width: z.enum(['narrow', 'standard', 'wide', 'full']).optional(),
  is_collapsible: flag,
  default_collapsed: flag,
  has_header_divider: flag,
})

const everywhere = [actions, context, divider, header, image, input, richText, section] as const

/** One block of a message, of those in which the documentation puts it there. */
export const messageBlock = z.discriminatedUnion('type', [
  ...everywhere,
  table,
  taskCard,
  card,
  container,
  block('markdown', { text: text(12_000) }),
  block('alert', { text: textObject(3_000), level: z.enum(['default', 'info', 'warning', 'error', 'success']).optional() }),
  block('carousel', { elements: z.array(card).min(1).max(10) }),
  block('context_actions', {
    elements: z
      .array(z.discriminatedUnion('type', [feedback, iconButton]))
      .min(1)
      .max(5),
  }),
  block('plan', { title: z.string().min(1), tasks: z.array(taskCard).optional() }),
  block('data_table', {
    caption: z.string().min(1),
    rows: z.array(tableRow).min(1),
    page_size: z.int().min(1).max(100).optional(),
    row_header_column_index: z.int().min(0).optional(),
  }),
])

/** One block of a modal or a home tab. */
export const viewBlock = z.discriminatedUnion('type', [...everywhere])

export const MOST_BLOCKS = { message: 50, view: 100 } as const

const viewFields = {
  blocks: z.array(viewBlock).max(MOST_BLOCKS.view),
  private_metadata: z.string().max(3_000).optional(),
  callback_id: z.string().max(255).optional(),
  external_id: z.string().max(255).optional(),
}

/** A view as it is opened, pushed, updated or published. */
export const viewSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('modal'),
    title: plainText(24),
    submit: plainText(24).optional(),
    close: plainText(24).optional(),
    clear_on_close: flag,
    notify_on_close: flag,
    submit_disabled: flag,
    ...viewFields,
  }),
  z.strictObject({ type: z.literal('home'), ...viewFields }),
])

export const messageBlocks = z.array(messageBlock).max(MOST_BLOCKS.message)
