/** What LLBBridge and the Control calls around it mean. Pure functions: bytes in, values out. */
export { bytesMessageData, wrapBytesMessage } from './bytes-message.js';
export { ANNOTATION_RULES, type AnnotationRule } from './annotations.js';
export { align } from './align.js';
export { canonicalAnswer, canonicalMessage, canonicalRequest, type CanonicalOptions, type IdMap } from './canonical.js';
export type { Canonical, CanonicalField, DefinedId, IgnoredField, VolatileValue } from './canonical-form.js';
export type { Decoded, DecodedObject, ViewOptions } from './decoded.js';
export type { Definition, DefinitionInput, DefinitionLocation, DefinitionOp } from './definition.js';
export { describeExec } from './describe-exec.js';
export { fieldDifferences, type FieldDifference } from './field-differences.js';
export { differences, roughDistance, type Difference } from './difference.js';
export { failedProcess, parseExec, withProcessId, type ExecInput, type ExecStep } from './exec.js';
export { sha256 } from './graph.js';
export { frontendOptions, type FrontendOption } from './frontend-options.js';
export { headerText, type Header } from './header.js';
export { idsIn, replaceIds } from './identity.js';
export { KnownOps } from './known-ops.js';
export { asSourceMetaRequest, asSourceMetaResponse, RESOLVE_IMAGE_CONFIG, RESOLVE_SOURCE_META } from './image-config.js';
export { introducedIds, type IntroducedId } from './introduced-ids.js';
export { ReadAnswer } from './read-answer.js';
export { buildIdOf, buildOfCall, sessionIdOf, solveFacts, statusRef, type SolveFacts } from './ids.js';
export {
  BRIDGE,
  BRIDGE_SOLVE,
  CONTROL,
  EXEC_PROCESS,
  introducesId,
  isWrittenOneWay,
  NEW_CONTAINER,
  PING,
  READ_FILE,
  RELEASE_CONTAINER,
  RETURN,
  serviceOf,
  SESSION,
  shortMethod,
  SOLVE,
  STATUS,
} from './methods.js';
export { pairIds } from './pair-ids.js';
export { progressEntries, type ProgressEntry } from './progress.js';
export { contentsAnswer, fileRequest, statAnswer, type FileRequest } from './read-file.js';
export { isRewritable, rewriteHeader, rewriteIds, type IdRewriter } from './rewrite-ids.js';
export { Plain, isList, isMap, kindOf, LiteralError, scalarText, type Literal, type LiteralMap, type LiteralPath } from './literal.js';
export { readMessage, writeMessage, type ReadMessage, type WrittenMessage } from './encode-literal.js';
export { bytesLiteral, textBytes } from './scalar-literal.js';
export { isJsonWord } from './json-literal.js';
export { knownMethods, knownServices, methodOf, type Method } from './schema.js';
export { canonicalStatus, decodeStatus, type CallStatus, type StatusDetail } from './status.js';
export { commandLine, printable, quoted, STATUS_NAMES } from './text.js';
export { decodeContent, decodeDefinition, decodeMessage } from './view.js';
export { RULE_PLACES, rulePlace, type RulePlace, type RuleSettings, type UserRule } from './rule.js';
export { BUILT_IN_RULES, ruleNames, ruleReason, Rules } from './rules.js';
export { sketch, sketchDistance, type Sketch } from './sketch.js';
export { bytesField, concat, varintField } from './wire-format.js';
export { VOLATILE_RULES, type VolatileKind, type VolatileRule } from './volatile.js';
