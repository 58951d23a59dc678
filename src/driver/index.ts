export { drive, type DriveOptions, type DriveReport } from './driver.js';
