import { Controller, Get } from '@nestjs/common'

@Controller('health')
export class HealthController {
  @Get()
  read(): { readonly status: string } {
    return { status: 'ok' }
  }
}
