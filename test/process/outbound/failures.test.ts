/** Calls that bring no answer: each counts once, with the word for why, and fails in the application as ever. */
import { describeCalls } from '../../support/outbound';

describeCalls('partner calls that fail', 'failures');
