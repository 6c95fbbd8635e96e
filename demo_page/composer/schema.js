/** From a JSON Schema of the catalogue to the fields of a form. */

/**
 * @typedef {object} Field
 * @property {"object" | "text" | "choice" | "integer" | "flag" | "list" | "map" | "constant" | "any"} kind
 * @property {string} name
 * @property {string} hint
 * @property {boolean} required
 * @property {Field[]} fields of an object
 * @property {Field | undefined} item of a list, or the values of a map
 * @property {string[]} choices
 * @property {unknown} value of a constant
 * @property {boolean} secret
 * @property {string} example
 * @property {(value: string) => string} doubt what the bridge will probably say against a text; empty where nothing
 */

/**
 * @param {any} schema of a whole message
 * @returns {Field} what a client may set in it
 */
export function fieldOf(schema) {
  return build("", schema, { root: schema, required: true, example: schema.examples?.[0] });
}

/**
 * A message to begin with: every field that is required, and nothing in it.
 *
 * @param {Field} field
 * @param {(name: string) => unknown} known values that the page can fill in itself
 * @returns {any}
 */
export function blank(field, known) {
  switch (field.kind) {
    case "object":
      return Object.fromEntries(field.fields.filter((each) => each.required || each.name === "data")
        .map((each) => [each.name, blank(each, known)]));
    case "constant":
      return field.value;
    case "choice":
      return field.choices[0];
    case "integer":
      return 0;
    case "flag":
      return false;
    case "list":
      return [];
    case "map":
      return {};
    case "any":
      return null;
    default:
      return known(field.name) ?? "";
  }
}

/** Any address, catalogued or not. */
export const FREE = fieldOf({
  type: "object",
  required: ["channel", "topic", "subtopic"],
  properties: {
    channel: { type: "string", description: "Channels that are not in the catalogue are free: gadgets may use their own." },
    topic: { type: "string" },
    subtopic: { type: "string" },
    data: { description: "Any JSON: write it in the JSON beside the form." },
    id: { type: "string" },
    source: { type: "string" },
  },
});

/**
 * @param {string} name
 * @param {any} given
 * @param {{root: any, required: boolean, example: any}} context
 * @returns {Field}
 */
function build(name, given, { root, required, example }) {
  const schema = resolve(given, root);
  /** @type {string[]} */
  const needed = schema.required ?? [];
  /** @param {string} each */
  const inside = (each) => build(each, schema.properties[each], { root, required: needed.includes(each), example: example?.[each] });
  const kind = kindOf(schema);
  return {
    kind,
    name,
    required,
    hint: given.description ?? schema.description ?? "",
    fields: kind === "object" ? Object.keys(schema.properties).filter((each) => isSettable(schema.properties[each])).map(inside) : [],
    item: kind === "list" || kind === "map" ? build("", schema.items ?? schema.additionalProperties, { root, required: true, example: "" }) : undefined,
    choices: schema.enum ?? [],
    value: schema.const,
    secret: schema.format === "password",
    example: typeof example === "string" ? example : "",
    doubt: (value) => doubt(schema, value),
  };
}

/** @param {any} schema */
function kindOf(schema) {
  if ("const" in schema) {
    return "constant";
  }
  if (schema.enum) {
    return "choice";
  }
  switch (schema.type) {
    case "string":
      return "text";
    case "integer":
      return "integer";
    case "boolean":
      return "flag";
    case "array":
      return "list";
    case "object":
      return schema.properties ? "object" : "map";
    default:
      return "any";
  }
}

/**
 * Follow a reference; of `anyOf` something or `null`, take the something: a field that is left empty is left out.
 *
 * @param {any} schema
 * @param {any} root
 * @returns {any}
 */
function resolve(schema, root) {
  if (schema.$ref) {
    return resolve(root.$defs[schema.$ref.split("/").at(-1)], root);
  }
  const other = schema.anyOf?.filter((/** @type {any} */ each) => each.type !== "null");
  return other?.length === 1 ? resolve(other[0], root) : schema;
}

/**
 * Not so `time` and its like, which the bridge sets whatever a client sends.
 *
 * @param {any} schema
 */
function isSettable(schema) {
  return !/^Set by the bridge/.test(schema.description ?? "");
}

/**
 * @param {any} schema of a text
 * @param {string} value
 */
function doubt({ pattern, minLength = 0, maxLength = Infinity }, value) {
  if (value.length < minLength || value.length > maxLength) {
    return maxLength === Infinity ? "must not be empty" : `must have ${minLength} to ${maxLength} characters`;
  }
  return pattern && !new RegExp(pattern, "u").test(value) ? `must fit ${pattern}` : "";
}
