/** Every form of call to a partner, and every option that changes where it goes. */
import { describeCalls } from '../../support/outbound';

describeCalls('outbound calls, by form', 'forms');
