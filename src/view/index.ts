/** The page: a cassette, or one call of it, as lines of text or of JSON. Values in, lines out; no I/O. */
export { showCall, type DetailOptions } from './call-detail.js';
export { callTable, showCassette } from './call-table.js';
export { cassetteHead, type ViewOptions } from './cassette-head.js';
export { explanationJson, showExplanation, type ExplanationOptions } from './explanation.js';
export { eventsJson, surveyJson } from './json-lines.js';
export { cutEnd, indented, legible, padStart, width, wrap } from './legible.js';
export { listingJson, showListing, type Listed } from './listing.js';
export { plainPainter, type Painter } from './painter.js';
export { duration, plural, size } from '../quantity.js';
export { surveyCassette, type Survey, type SurveyedBuild, type SurveyedCall } from './survey.js';
export { isComplete, showVerdict, verdictJson, type Verdict } from './verdict.js';
