/** Responses of partners of every kind, read by applications in every way. */
import { describeCalls } from '../../support/outbound';

describeCalls('responses of partners', 'responses');
